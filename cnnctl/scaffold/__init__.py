"""What `cnnctl new` writes: a first spec, and the schema beside it."""
