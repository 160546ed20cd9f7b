import pytest

pytest.register_assert_rewrite("front_end", "suite")

from front_end import Kernel  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def nothing_at_home(tmp_path_factory):
    """What a program writes that a test starts by itself."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name)))
        yield


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
