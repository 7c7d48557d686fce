"""One module a protocol; the only place with protocol libraries."""
