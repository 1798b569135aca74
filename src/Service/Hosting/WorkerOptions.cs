using System.ComponentModel.DataAnnotations;

namespace Condense.Service.Hosting;

/// <summary>How this process runs jobs.</summary>
internal sealed record WorkerOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Worker";

    /// <summary>What all models but those with a very large tensor can be read in.</summary>
    private const long SmallestShare = 256 << 20;

    private const int SharesOfMemory = 16;

    /// <summary>Jobs at once. Default: 1.</summary>
    [Range(1, 64)]
    public int Concurrency { get; init; } = 1;

    /// <summary>Threads of one job; 0 shares the processors among the jobs. Default: 0.</summary>
    [Range(0, 1024)]
    public int Threads { get; init; }

    /// <summary>The longest wait before a worker looks at the queue again; PostgreSQL wakes it earlier. Default: 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan IdleWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a node of a cluster says that it lives. Default: 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan CheckIn { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a check-in may be late before the node counts as dead. Default: 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan CheckInTolerance { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a job stays a worker's that is not heard of. A dead worker's job is another's after at most this and a second. Default: 8 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How often a worker renews its leases; also how soon it sees a cancellation whose notice was lost. Default: 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan Renewal { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a process that is asked to end waits for its jobs to finish their current layers. Default: 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The wait before the second attempt of a job that failed through our fault; it doubles with every further one. Default: 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The path of ONNX Runtime's shared library; with it, reports say how far the result's outputs are from the original's. Default: none.</summary>
    public string? OnnxRuntimeLibrary { get; init; }

    /// <summary>Bytes of memory that the jobs of this process share; 0: three quarters of what the machine or its container has. Default: 0.</summary>
    [Range(0, long.MaxValue)]
    public long MemoryBytes { get; init; }

    /// <summary>Bytes of memory that one job may take before it ends as <c>out_of_memory</c>; 0: an equal share of <see cref="MemoryBytes"/>. Default: 0.</summary>
    [Range(0, long.MaxValue)]
    public long JobMemoryBytes { get; init; }

    /// <summary>Whether an idle slot works on layers that other workers' jobs share. Default: true.</summary>
    public bool Assist { get; init; } = true;

    /// <summary>The program that jobs run in, an assembly of .NET. Default: the service itself.</summary>
    public string? ChildProgram { get; init; }

    /// <summary>The memory that jobs share.</summary>
    public long Memory() => MemoryBytes > 0 ? MemoryBytes : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 * 3;

    /// <summary>The memory that one job may take.</summary>
    public long JobMemory() => JobMemoryBytes > 0 ? JobMemoryBytes : Memory() / Concurrency;

    /// <summary>
    /// The memory that one inspection of a model may take without asking: a part of what <see cref="Memory"/> leaves free. One that needs more waits for
    /// the jobs' memory, as a job does.
    /// </summary>
    public long InspectionMemory() => Math.Min(JobMemory(), Math.Max(SmallestShare, Memory() / SharesOfMemory));

    /// <summary>The memory that idle children may hold together: a part of what <see cref="Memory"/> leaves free.</summary>
    public long IdleMemory() => Memory() / SharesOfMemory;

    /// <summary>The threads of each job.</summary>
    public int ThreadsPerJob() => Threads > 0 ? Threads : int.Max(1, Environment.ProcessorCount / Concurrency);
}
