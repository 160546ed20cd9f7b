import pytest

from front_end import Kernel


@pytest.fixture(scope="module")
def kernel():
    """One kernel for all tests of a file; each must leave it idle and as it was."""
    with Kernel() as one:
        yield one


@pytest.fixture
def client(kernel):
    yield kernel.client
    assert kernel.process.poll() is None, "the kernel died"
    assert kernel.client.quiet(), "messages came that nobody had asked for"
