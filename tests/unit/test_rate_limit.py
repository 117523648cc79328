"""Token buckets per client address."""

from agentic_memory.interfaces.rate_limit import MOST_ADDRESSES, TokenBuckets, is_loopback


def test_a_burst_passes_then_the_rate_holds():
    buckets = TokenBuckets(2.0)
    assert [buckets.wait("192.0.2.1", 0.0) for _ in range(20)] == [0.0] * 20
    assert buckets.wait("192.0.2.1", 0.0) == 0.5
    assert buckets.wait("192.0.2.1", 0.5) == 0.0
    assert buckets.wait("192.0.2.1", 0.5) > 0


def test_each_address_has_its_own_bucket():
    buckets = TokenBuckets(0.1)
    assert buckets.wait("192.0.2.1", 0.0) == 0.0
    assert buckets.wait("192.0.2.1", 0.0) > 0
    assert buckets.wait("192.0.2.2", 0.0) == 0.0


def test_loopback_and_no_limit_always_pass():
    for address in ("127.0.0.1", "127.9.9.9", "::1"):
        assert all(TokenBuckets(0.1).wait(address, 0.0) == 0.0 for _ in range(50))
    assert all(TokenBuckets(0.0).wait("192.0.2.1", 0.0) == 0.0 for _ in range(50))


def test_it_remembers_a_bounded_number_of_addresses():
    buckets = TokenBuckets(1.0)
    for i in range(MOST_ADDRESSES + 50):
        buckets.wait(f"address-{i}", 0.0)
    assert len(buckets._buckets) == MOST_ADDRESSES


def test_what_is_no_address_is_not_loopback():
    assert not is_loopback("localhost") and not is_loopback("") and is_loopback("::1")
