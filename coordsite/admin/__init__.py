"""The admin site of coord, Django's default site here: apps register with ``@admin.register``."""
