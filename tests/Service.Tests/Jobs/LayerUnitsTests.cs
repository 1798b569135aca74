using Condense.Pipeline.Stages;
using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Isolation;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Condense.Service.Tests.Jobs;

/// <summary>The layers that a job shares, and who has them.</summary>
public sealed class LayerUnitsTests(JobLedgerTests.WithoutWorker service) : IClassFixture<JobLedgerTests.WithoutWorker>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_keeps_the_layer_that_it_works_on_and_no_other()
    {
        await using var scope = service.Scope();
        var job = await ShareAsync(scope, "job_U1", layers: 2);
        var units = scope.ServiceProvider.GetRequiredService<LayerUnits>();

        // The answer to the first was lost, so it was asked again.
        Assert.Equal(0, await units.TakeAsync(job.Id, job.Token, Stage.Compressing, "w", Cancellation));
        Assert.Equal(1, await units.TakeAsync(job.Id, job.Token, Stage.Compressing, "w", Cancellation));
        var rows = scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Units.Where(unit => unit.JobId == job.Id);
        var before = await rows.ToDictionaryAsync(unit => unit.Layer, unit => unit.LeaseUntil, Cancellation);
        await rows.ExecuteUpdateAsync(set => set.SetProperty(unit => unit.LeaseUntil, unit => unit.LeaseUntil - 1000), Cancellation);

        Assert.True(await units.RenewAsync(job.Id, job.Token, Stage.Compressing, 1, "w", Cancellation));
        var after = await rows.ToDictionaryAsync(unit => unit.Layer, unit => unit.LeaseUntil, Cancellation);
        Assert.Equal(before[0] - 1000, after[0]);
        Assert.True(after[1] >= before[1]);
        Assert.False(await units.RenewAsync(job.Id, job.Token, Stage.Analysing, 1, "w", Cancellation));
    }

    [Fact]
    public async Task Layers_that_are_shared_twice_are_there_once()
    {
        await using var scope = service.Scope();
        var job = await ShareAsync(scope, "job_U2", layers: 3);
        await scope.ServiceProvider.GetRequiredService<LayerUnits>().ShareAsync(job, Stage.Compressing, Layers(3), Cancellation);
        Assert.Equal(3, await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Units.CountAsync(unit => unit.JobId == job.Id, Cancellation));
    }

    [Fact]
    public async Task A_job_that_waits_for_its_next_attempt_keeps_nobody_from_assisting_and_one_that_could_run_does()
    {
        await using var own = await RunningService.StartAsync("--Role=Api");
        await using var scope = own.Scope();
        var job = await ShareAsync(scope, "job_U3", layers: 1);
        var units = scope.ServiceProvider.GetRequiredService<LayerUnits>();
        await scope.ServiceProvider.GetRequiredService<JobLedger>().AcceptAsync(NewJob("job_WAITS"), _ => Task.CompletedTask, Cancellation);
        Assert.Null(await units.FindAsync(Cancellation));

        var waiting = scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Jobs.Where(row => row.Id == "job_WAITS");
        await waiting.ExecuteUpdateAsync(set => set.SetProperty(row => row.LeaseUntil, long.MaxValue), Cancellation);
        Assert.Equal(job.Id, (await units.FindAsync(Cancellation))?.JobId);
    }

    [Fact]
    public async Task An_assistant_gives_its_layer_back_when_a_whole_job_comes()
    {
        await using var scope = service.Scope();
        var job = await ShareAsync(scope, "job_U4", layers: 1);
        var room = new MemoryRoom(Options.Create(new WorkerOptions { MemoryBytes = 100 }));
        using var place = room.TryAssist(60);
        using var stop = new CancellationTokenSource();
        await using var pieces = Pieces(job, "assistant", room, TimeProvider.System);
        pieces.WhenLost(stop);
        Assert.Equal(0, (await pieces.AnswerAsync(Question(ChildWord.Take), Cancellation)).Layer);

        var stopped = new TaskCompletionSource();
        await using var told = stop.Token.Register(stopped.SetResult);
        var enters = room.EnterAsync(60, Cancellation);
        await stopped.Task.WaitAsync(s_patience, Cancellation);
        Assert.False(enters.IsCompleted);

        // Nobody waits until its lease has run out.
        Assert.Equal(0, await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Units.Where(unit => unit.JobId == job.Id).Select(unit => unit.LeaseUntil).SingleAsync(Cancellation));
        place!.Dispose();
        (await enters).Dispose();
    }

    [Fact]
    public async Task A_run_takes_a_layer_from_an_assistant_that_lives_and_does_not_end()
    {
        await using var scope = service.Scope();
        var job = await ShareAsync(scope, "job_U5", layers: 1);
        var room = new MemoryRoom(Options.Create(new WorkerOptions { MemoryBytes = 100 }));
        using var place = room.TryAssist(1);
        using var stop = new CancellationTokenSource();
        await using var assistant = Pieces(job, "assistant", room, TimeProvider.System);
        assistant.WhenLost(stop);
        Assert.Equal(0, (await assistant.AnswerAsync(Question(ChildWord.Take), Cancellation)).Layer);

        // It renews its lease, and would for ever. The run waits by a clock that goes faster.
        await using var owner = Pieces(job, "owner", room: null, new FastClock());
        var answer = await owner.AnswerAsync(Question(ChildWord.Take), Cancellation).WaitAsync(s_patience, Cancellation);
        Assert.Equal(0, answer.Layer);
        await owner.AnswerAsync(Question(ChildWord.Finish), Cancellation);
    }

    private SharedPieces Pieces(Job job, string worker, MemoryRoom? room, TimeProvider clock) =>
        new(service.Services.GetRequiredService<IServiceScopeFactory>(), job, worker, room, clock, NullLogger.Instance, CancellationToken.None);

    private static ChildMessage Question(ChildWord word) => new(word) { Stage = Stage.Compressing };

    private static SharedLayer[] Layers(int count) => [.. Enumerable.Range(0, count).Select(layer => new SharedLayer(layer, count - layer))];

    /// <summary>A job at work that shares its layers, the dearest first.</summary>
    private static async Task<Job> ShareAsync(AsyncServiceScope scope, string id, int layers)
    {
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        await ledger.AcceptAsync(NewJob(id), _ => Task.CompletedTask, Cancellation);
        var claim = (await ledger.ClaimAsync(id, "owner", Cancellation))!;
        await scope.ServiceProvider.GetRequiredService<LayerUnits>().ShareAsync(claim, Stage.Compressing, Layers(layers), Cancellation);
        return claim;
    }

    private static Job NewJob(string id) =>
        new() { Id = id, TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = TimeProvider.System.GetUtcNow() };

    /// <summary>A second of it takes 20 ms.</summary>
    private sealed class FastClock : TimeProvider
    {
        private const int Speed = 50;

        public override long TimestampFrequency => System.TimestampFrequency;

        public override long GetTimestamp() => System.GetTimestamp() * Speed;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, dueTime / Speed, period);
    }
}
