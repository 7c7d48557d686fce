"""Reading a meter's export, whatever program wrote it, and saying what was assumed.

`read_export.read_export(path, CsvOptions())` gives an `Export`: times in UTC, values in one unit, every
assumption as a sentence with the option that changes it, every bad line by line, column, found and expected.
What cannot be told from the file, such as 03/04/2026, is asked about (ConfigError), never guessed.
"""
