"""What an evaluation found: figures, plots, and the page that shows them."""
