"""Jobs: backtests that run in processes of their own, kept in the store, told as events."""
