"""``coord demo``: the product on a real source tree, within a minute."""
