namespace Condense.Service.Isolation;

/// <summary>How a child's task is stopped.</summary>
/// <param name="DrainGrace">How long the layer in work may take once the service ends.</param>
/// <param name="Cancel">Cancelled when it shall stop.</param>
/// <param name="Drain">Cancelled before that when the service itself ends: the layer in work is then finished.</param>
internal sealed record ChildStop(TimeSpan DrainGrace, CancellationToken Cancel, CancellationToken Drain)
{
    /// <summary>How long a child that was told to stop at once may take: what it does is thrown away anyhow.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(1);
}
