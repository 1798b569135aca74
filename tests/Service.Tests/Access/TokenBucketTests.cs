using Condense.Service.Access;
using Xunit;

namespace Condense.Service.Tests.Access;

public sealed class TokenBucketTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void A_bucket_gives_all_it_has_at_once_and_fills_steadily()
    {
        var buckets = new TokenBuckets(60, _clock);
        for (int left = 59; left >= 0; left--)
        {
            var tokens = buckets.Take("a");
            Assert.True(tokens.Granted);
            Assert.Equal(left, tokens.Remaining);
        }

        var refused = buckets.Take("a");
        Assert.False(refused.Granted);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.UntilNext);
        Assert.Equal(TimeSpan.FromMinutes(1), refused.UntilFull);
        Assert.True(buckets.Take("b").Granted);

        _clock.Pass(TimeSpan.FromSeconds(2.5));
        Assert.Equal([true, true, false], [buckets.Take("a").Granted, buckets.Take("a").Granted, buckets.Take("a").Granted]);
        Assert.Equal(TimeSpan.FromSeconds(0.5), buckets.Take("a").UntilNext);
    }

    [Fact]
    public void A_waiting_bucket_is_never_more_than_full()
    {
        var buckets = new TokenBuckets(3, _clock);
        _clock.Pass(TimeSpan.FromDays(1));
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => buckets.Take("a").Granted));
    }

    [Fact]
    public void Of_requests_at_once_no_more_pass_than_there_are_tokens()
    {
        var buckets = new TokenBuckets(500, _clock);
        int granted = 0;
        Parallel.For(0, 4_000, _ =>
        {
            if (buckets.Take("a").Granted)
            {
                Interlocked.Increment(ref granted);
            }
        });
        Assert.Equal(500, granted);
    }

    [Fact]
    public void Clients_with_a_full_bucket_are_forgotten()
    {
        var buckets = new TokenBuckets(60, _clock);
        for (int i = 0; i < 1_000; i++)
        {
            buckets.Take($"client {i}");
        }

        _clock.Pass(TimeSpan.FromSeconds(61));
        buckets.Take("another");
        Assert.Equal(1, buckets.Clients);
    }

    /// <summary>A clock that stands still until it is told.</summary>
    private sealed class ManualClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Pass(TimeSpan time) => _ticks += time.Ticks;
    }
}
