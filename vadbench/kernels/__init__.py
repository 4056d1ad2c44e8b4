"""The only hot loops: arrays in, arrays out, compiled by numba when they are first called.

Every kernel has a plain NumPy twin in ``tests/oracle/test_kernels.py``. All release the interpreter lock, and none uses
fast-math, which would drop the corrections of a compensated sum.

Importing one of the modules imports numba (a quarter of a second), so they are imported where they are called.
"""
