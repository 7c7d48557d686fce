"""Any historian's export as history for the rules, without a database: a map says what each column is.

Nothing is guessed: units, time format, zone and missing values are told in the map.
"""
