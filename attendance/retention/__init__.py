"""How long things are kept: the periods, what goes when, the deletion itself, and files compared with rows."""
