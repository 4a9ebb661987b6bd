"""What a client may say and what it is answered: pure Python, sans-IO."""
