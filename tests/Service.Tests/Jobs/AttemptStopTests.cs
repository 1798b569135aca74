using Condense.Service.Hosting;
using Condense.Service.Jobs;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class AttemptStopTests : IDisposable
{
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly Drain _drain;
    private readonly AttemptStop _stop;

    public AttemptStopTests()
    {
        // Longer than any test.
        _drain = new Drain(_lifetime, Options.Create(new WorkerOptions { DrainTime = TimeSpan.FromHours(1) }), TimeProvider.System);
        _stop = Of(_drain);
    }

    public void Dispose()
    {
        _stop.Dispose();
        _drain.Dispose();
    }

    [Fact]
    public void The_end_of_the_process_leaves_time_for_the_layer_in_work()
    {
        _lifetime.StopApplication();
        Assert.Equal((StopReason.Drained, true, false), (_stop.Reason, _stop.IsCancellationRequested, _stop.AtOnce.IsCancellationRequested));
    }

    [Fact]
    public void An_attempt_that_begins_while_the_process_ends_stops_too()
    {
        _lifetime.StopApplication();
        using var late = Of(_drain);
        Assert.Equal((StopReason.Drained, true), (late.Reason, late.IsCancellationRequested));
    }

    [Fact]
    public void Time_for_the_layer_in_work_is_over_before_the_time_of_the_process()
    {
        using var drain = new Drain(_lifetime, Options.Create(new WorkerOptions { DrainTime = TimeSpan.Zero }), TimeProvider.System);
        using var stop = Of(drain);
        _lifetime.StopApplication();
        Assert.True(stop.AtOnce.WaitHandle.WaitOne(TimeSpan.FromSeconds(60)));
        Assert.Equal(StopReason.Drained, stop.Reason);
    }

    [Theory]
    [InlineData(StopReason.Canceled)]
    [InlineData(StopReason.OutOfTime)]
    [InlineData(StopReason.LeaseLost)]
    public void Any_other_reason_stops_at_once_also_one_that_drains(object reason)
    {
        _lifetime.StopApplication();
        using var other = Of(_drain);
        other.Stop((StopReason)reason);
        Assert.True(other.AtOnce.IsCancellationRequested);
        Assert.Equal(StopReason.Drained, other.Reason);
        Assert.False(_stop.AtOnce.IsCancellationRequested);
    }

    [Fact]
    public void The_first_reason_counts()
    {
        _stop.Stop(StopReason.Canceled);
        _lifetime.StopApplication();
        Assert.Equal((StopReason.Canceled, true), (_stop.Reason, _stop.AtOnce.IsCancellationRequested));
    }

    private static AttemptStop Of(Drain drain) =>
        new(new Job { Id = "job_1", TenantId = "t", ModelId = "mdl_1", RequestJson = "{}", Priority = 5, CreatedAt = DateTimeOffset.UnixEpoch, State = JobState.Running }, drain);
}
