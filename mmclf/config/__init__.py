"""The configuration: composed, checked whole, and the parts that it names built."""
