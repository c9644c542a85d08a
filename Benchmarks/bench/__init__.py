"""The parts of benchmark.py: a cluster, the services, loads, and the figures made from them."""
