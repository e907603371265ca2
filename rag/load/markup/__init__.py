"""HTML, Markdown, XML and what is made of them."""
