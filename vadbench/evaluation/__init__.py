"""From predictions and truth to a report."""
