using Condense.Service.Hosting;
using Condense.Service.Isolation;
using Microsoft.Extensions.Options;
using Xunit;

namespace Condense.Service.Tests.Isolation;

public sealed class MemoryRoomTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_waits_until_its_memory_is_free()
    {
        var room = Room();
        using var first = await room.EnterAsync(60, Cancellation);
        using var second = await room.EnterAsync(40, Cancellation);
        var third = room.EnterAsync(50, Cancellation);
        second.Dispose();
        Assert.False(third.IsCompleted);
        first.Dispose();
        (await third.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation)).Dispose();
    }

    [Fact]
    public async Task A_large_job_is_not_passed_by_and_one_beyond_the_room_runs_alone()
    {
        var room = Room();
        using var first = await room.EnterAsync(10, Cancellation);
        var large = room.EnterAsync(1000, Cancellation);
        var small = room.EnterAsync(10, Cancellation);
        Assert.False(small.IsCompleted);
        first.Dispose();
        var alone = await large.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation);
        Assert.False(small.IsCompleted);
        alone.Dispose();
        (await small.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation)).Dispose();
    }

    [Fact]
    public async Task Who_gives_up_waiting_holds_nobody_up()
    {
        var room = Room();
        using var first = await room.EnterAsync(60, Cancellation);
        using var stop = new CancellationTokenSource();
        var canceled = room.EnterAsync(100, stop.Token);
        var next = room.EnterAsync(40, Cancellation);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => canceled);
        (await next.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation)).Dispose();
    }

    [Fact]
    public async Task Others_work_is_taken_on_only_in_an_idle_slot_and_given_back_for_a_job()
    {
        var room = Room();
        using var job = await room.EnterAsync(30, Cancellation);
        Assert.True(room.HasIdleSlot);
        using var assistance = room.TryAssist(30);
        Assert.NotNull(assistance);
        Assert.Null(room.TryAssist(30));
        Assert.False(room.IsWantedBack);
        using var another = await room.EnterAsync(30, Cancellation);
        Assert.True(room.IsWantedBack);
        assistance.Dispose();
        Assert.False(room.IsWantedBack);
        Assert.False(room.HasIdleSlot);
    }

    [Fact]
    public async Task A_large_inspection_takes_its_turn_and_its_memory_and_keeps_no_second_one_waiting()
    {
        var room = Room();
        var job = await room.EnterAsync(60, Cancellation);
        var inspection = room.TryInspectAsync(50, Cancellation);
        Assert.False(inspection.IsCompleted);
        Assert.Null(await room.TryInspectAsync(10, Cancellation));
        var next = room.EnterAsync(60, Cancellation);
        job.Dispose();
        var place = await inspection.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation);
        Assert.False(next.IsCompleted);
        Assert.Null(await room.TryInspectAsync(10, Cancellation));
        place!.Dispose();
        (await next.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation)).Dispose();
        using var again = await room.TryInspectAsync(10, Cancellation);
        Assert.NotNull(again);
    }

    [Fact]
    public async Task No_more_is_ever_handed_out_than_there_is()
    {
        var room = Room();
        var random = new Random(1);
        int[] sizes = [.. Enumerable.Range(0, 200).Select(_ => random.Next(1, 70))];
        int used = 0;
        int most = 0;
        await Task.WhenAll(sizes.Select(async size =>
        {
            using var place = await room.EnterAsync(size, Cancellation);
            int now = Interlocked.Add(ref used, size);
            InterlockedMax(ref most, now);
            await Task.Yield();
            Interlocked.Add(ref used, -size);
        }));
        Assert.InRange(most, 1, 100);
    }

    private static MemoryRoom Room() => new(Options.Create(new WorkerOptions { MemoryBytes = 100, Concurrency = 2 }));

    private static void InterlockedMax(ref int target, int value)
    {
        int seen = target;
        while (value > seen && Interlocked.CompareExchange(ref target, value, seen) is var current && current != seen)
        {
            seen = current;
        }
    }
}
