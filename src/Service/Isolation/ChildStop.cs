namespace Condense.Service.Isolation;

/// <summary>How a child's task is stopped.</summary>
/// <param name="Stop">Cancelled when it shall stop.</param>
/// <param name="AtOnce">Cancelled when the layer in work is not even to be finished: with <see cref="Stop"/>, or later.</param>
internal sealed record ChildStop(CancellationToken Stop, CancellationToken AtOnce)
{
    /// <summary>For work that is begun again elsewhere: there is nothing to finish.</summary>
    public ChildStop(CancellationToken stop)
        : this(stop, stop)
    {
    }

    /// <summary>How long a child that was told to stop at once may take: what it does is thrown away anyhow.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(1);
}
