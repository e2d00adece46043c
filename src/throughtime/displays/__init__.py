"""What a notebook and a terminal show of an object: a title, figures, tables and small pictures."""
