namespace Condense.TestHost;

/// <summary>A machine's clock that is wrong by a fixed time; its seconds are seconds.</summary>
/// <param name="off">How much it is ahead.</param>
internal sealed class WrongClock(TimeSpan off) : TimeProvider
{
    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + off;
}
