using Condense.Models;

namespace Condense.Service.Library;

/// <summary>
/// Opens models in this process, few at once: the structure of a hostile one takes <see cref="ReadLimits.StructureBytes"/>, and any number may be sent at
/// the same time. Whoever comes beyond that waits. Reading weights is the children's work.
/// </summary>
internal sealed class ModelOpener
{
    /// <summary>Half of the memory that this process may take is for structures.</summary>
    private const int Share = 2;

    private int _waiting;

    /// <summary>Places that are free.</summary>
    public SemaphoreSlim Places { get; } = new((int)long.Clamp(
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Share / ReadLimits.Default.StructureBytes, 1, Environment.ProcessorCount));

    /// <summary>How many wait for a place.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Opens a model, beside the caller's thread, when there is a place.</summary>
    /// <param name="open">Opens it, and keeps nothing of its structure.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task<T> RunAsync<T>(Func<T> open, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await Places.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        try
        {
            return await Task.Run(open, cancellationToken);
        }
        finally
        {
            Places.Release();
        }
    }
}
