from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE


def test_rows_are_packed():
    assert QUOTE_DTYPE.itemsize == 32 + 8 + 5 * 8
    assert CANDLE_DTYPE.itemsize == 32 + 8 + 8 + 5 * 8 + 1
    assert not QUOTE_DTYPE.isalignedstruct
    assert not CANDLE_DTYPE.isalignedstruct
