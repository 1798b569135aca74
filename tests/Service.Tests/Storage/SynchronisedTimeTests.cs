using Condense.Service.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class SynchronisedTimeTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Before_a_measurement_it_is_the_machine_s_and_after_it_the_database_s()
    {
        var machine = new Machine { Now = s_noon.AddMinutes(10) };
        var time = new SynchronisedTime(machine);
        Assert.Equal(s_noon.AddMinutes(10), time.GetUtcNow());
        time.Set(s_noon, machine.GetTimestamp());
        Assert.Equal(s_noon, time.GetUtcNow());

        // What the wall clock does from here on is nobody's business.
        machine.Now = s_noon.AddYears(1);
        machine.Elapsed += TimeSpan.FromSeconds(5);
        Assert.Equal(s_noon.AddSeconds(5), time.GetUtcNow());
    }

    [Fact]
    public void It_never_goes_back()
    {
        var machine = new Machine { Now = s_noon };
        var time = new SynchronisedTime(machine);
        time.Set(s_noon, machine.GetTimestamp());
        machine.Elapsed += TimeSpan.FromSeconds(5);
        Assert.Equal(s_noon.AddSeconds(5), time.GetUtcNow());
        time.Set(s_noon.AddSeconds(3), machine.GetTimestamp());
        Assert.Equal(s_noon.AddSeconds(5), time.GetUtcNow());
        machine.Elapsed += TimeSpan.FromSeconds(3);
        Assert.Equal(s_noon.AddSeconds(6), time.GetUtcNow());
    }

    [Fact]
    public async Task A_machine_that_is_ten_minutes_ahead_takes_PostgreSQL_s_time()
    {
        await using var source = NpgsqlDataSource.Create(await (await PostgresServer.SharedAsync()).CreateDatabaseAsync());
        var time = new SynchronisedTime(new Machine { Now = TimeProvider.System.GetUtcNow().AddMinutes(10) });
        using var synchroniser = new TimeSynchroniser(source, time, new OutageLog(TimeProvider.System, NullLogger<OutageLog>.Instance), NullLogger<TimeSynchroniser>.Instance);
        var before = TimeProvider.System.GetUtcNow();
        await synchroniser.MeasureAsync(TestContext.Current.CancellationToken);
        var after = TimeProvider.System.GetUtcNow();

        // The server is this machine: its time lies between, to the millisecond that it says it in.
        Assert.InRange(time.GetUtcNow(), before.AddMilliseconds(-1), after.AddMilliseconds(1));
    }

    private sealed class Machine : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public TimeSpan Elapsed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Elapsed.Ticks;
    }
}
