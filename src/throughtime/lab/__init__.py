"""The laboratory: recurrent networks that learn while one watches, in a page that this machine serves to itself."""
