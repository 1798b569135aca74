namespace Condense.Service.Storage;

/// <summary>
/// Says once that the database is away, and once that it is back, whoever in this process notices first: everything that works in the background does,
/// again and again.
/// </summary>
internal sealed class OutageLog(TimeProvider clock, ILogger<OutageLog> logger)
{
    /// <summary>Nobody has noticed anything for so long: what comes now is another outage, also where nobody looks whether the database is back.</summary>
    private static readonly TimeSpan s_quiet = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private (long Began, long Noticed)? _outage;

    /// <summary>Takes a failure over, if it is that the database is away.</summary>
    /// <returns>False when it is something else: then it is the caller's to tell.</returns>
    public bool Takes(Exception exception)
    {
        if (!DatabaseFault.IsAway(exception))
        {
            return false;
        }

        long now = clock.GetTimestamp();
        lock (_lock)
        {
            bool isNew = _outage is not { } known || clock.GetElapsedTime(known.Noticed, now) > s_quiet;
            _outage = (isNew ? now : _outage!.Value.Began, now);
            if (isNew)
            {
                StorageLog.Away(logger, exception.GetBaseException().Message.ReplaceLineEndings(" "));
            }
        }

        return true;
    }

    /// <summary>The database has answered.</summary>
    public void Over()
    {
        lock (_lock)
        {
            if (_outage is { } known)
            {
                StorageLog.Back(logger, (long)clock.GetElapsedTime(known.Began).TotalSeconds);
                _outage = null;
            }
        }
    }
}
