using Condense.Service.Storage;
using NSubstitute;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class IdSourceTests
{
    [Fact]
    public void Ids_increase_within_a_millisecond_and_when_the_clock_is_set_back()
    {
        var clock = Substitute.For<TimeProvider>();
        clock.GetUtcNow().Returns(DateTimeOffset.FromUnixTimeMilliseconds(2_000_000), DateTimeOffset.FromUnixTimeMilliseconds(1_000_000));
        var source = new IdSource(clock);
        string[] ids = [.. Enumerable.Range(0, 1000).Select(_ => source.Next("mdl_"))];
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.Equal(ids.Length, ids.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void The_first_ten_characters_are_the_time()
    {
        var clock = Substitute.For<TimeProvider>();

        // From the ULID specification: 1469918176385 ms is 01ARYZ6S41.
        clock.GetUtcNow().Returns(DateTimeOffset.FromUnixTimeMilliseconds(1469918176385));
        string id = new IdSource(clock).Next("job_");
        Assert.StartsWith("job_01ARYZ6S41", id, StringComparison.Ordinal);
        Assert.Equal(30, id.Length);
    }
}
