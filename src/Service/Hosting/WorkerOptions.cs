using System.ComponentModel.DataAnnotations;

namespace Condense.Service.Hosting;

/// <summary>How this process runs jobs.</summary>
internal sealed record WorkerOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Worker";

    /// <summary>Whether this process runs jobs, or only accepts them. Default: true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Jobs at once. Default: 1.</summary>
    [Range(1, 64)]
    public int Concurrency { get; init; } = 1;

    /// <summary>Threads of one job; 0 shares the processors among the jobs. Default: 0.</summary>
    [Range(0, 1024)]
    public int Threads { get; init; }

    /// <summary>The wait before the second attempt of a job that failed through our fault; it doubles with every further one. Default: 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The path of ONNX Runtime's shared library; with it, reports say how far the result's outputs are from the original's. Default: none.</summary>
    public string? OnnxRuntimeLibrary { get; init; }

    /// <summary>The threads of each job.</summary>
    public int ThreadsPerJob() => Threads > 0 ? Threads : int.Max(1, Environment.ProcessorCount / Concurrency);
}
