"""Problems to practise on: drawn, compared, written as a sheet."""
