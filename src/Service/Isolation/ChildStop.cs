namespace Condense.Service.Isolation;

/// <summary>How a child's task is stopped.</summary>
/// <param name="Cancel">Cancelled when it shall stop.</param>
/// <param name="Drain">Cancelled before that when the service itself ends: the layer in work is then finished.</param>
/// <param name="DrainGrace">How long that may take.</param>
internal sealed record ChildStop(CancellationToken Cancel, CancellationToken Drain, TimeSpan DrainGrace)
{
    /// <summary>How long a child that was told to stop at once may take: what it does is thrown away anyhow.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(1);
}
