namespace Condense.Service.Storage;

/// <summary>
/// The time of the database, kept by this machine's monotonic clock between measurements: what a wrong wall clock says does not matter, and
/// the time never goes back. Before the first measurement it is the machine's own.
/// </summary>
/// <param name="machine">The machine's clock; it may be wrong, but a second of it is a second.</param>
internal sealed class SynchronisedTime(TimeProvider machine) : TimeProvider
{
    private readonly Lock _lock = new();
    private (DateTimeOffset Time, long Timestamp)? _measured;
    private DateTimeOffset _last;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long TimestampFrequency => machine.TimestampFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp() => machine.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            if (_measured is not { } measured)
            {
                return machine.GetUtcNow();
            }

            var now = measured.Time + machine.GetElapsedTime(measured.Timestamp);
            _last = now > _last ? now : _last;
            return _last;
        }
    }

    /// <summary>Takes a measurement over. A step back is walked, not jumped: the time stands still until it is reached again.</summary>
    /// <param name="time">The database's time …</param>
    /// <param name="timestamp">… at this moment of the monotonic clock.</param>
    public void Set(DateTimeOffset time, long timestamp)
    {
        lock (_lock)
        {
            _measured = (time, timestamp);
        }
    }
}
