"""The mix of the demo pool is checked against its baseline by the plugin that the package installs."""

from recipe import demo_pool, select_mix


def test_the_demo_mix_is_as_it_was(mix_regression):
    """The numbers of the demo mix lie within the default tolerances of those that were looked at and committed."""
    mix_regression.check(select_mix(demo_pool(images=100), size=500), strict=True)
