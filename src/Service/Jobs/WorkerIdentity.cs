namespace Condense.Service.Jobs;

/// <summary>The name of this process among the workers of a cluster.</summary>
internal sealed class WorkerIdentity
{
    /// <summary>The machine and the process.</summary>
    public string Name { get; } = $"{Environment.MachineName}/{Environment.ProcessId}";
}
