using Condense.Service.Storage;

namespace Condense.Service.Hosting;

/// <summary>This process among all that share a database. Its name is never used again, also where each container is process 1 of the same host.</summary>
internal sealed class Node(IdSource ids)
{
    private const int SuffixLength = 6;

    /// <summary>For example <c>worker-1/4711-3K9QZX</c>; attempts show it.</summary>
    public string Name { get; } = $"{Environment.MachineName}/{Environment.ProcessId}-{ids.Next("")[^SuffixLength..]}";
}
