"""The programs the scenarios drive, one module each."""
