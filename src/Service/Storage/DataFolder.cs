using System.Globalization;
using Microsoft.Extensions.Options;

namespace Condense.Service.Storage;

/// <summary>
/// The data folder of this process. On SQLite all there is: the database, the artifacts, what is being uploaded, and a work folder per unfinished job.
/// On PostgreSQL a scratch folder <c>node-N</c> of its own inside the configured one, so that several processes of a machine may share the setting.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    /// <summary>Scratch folders are numbered from 1; beyond this many processes on one machine something is wrong.</summary>
    private const int MaxNodes = 1000;

    private const string NodePrefix = "node-";

    /// <summary>EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION of Windows.</summary>
    private static readonly int[] s_locked = [11, 35, unchecked((int)0x80070020)];

    private readonly string _configured;
    private readonly bool _isScratch;
    private FileStream? _lock;

    /// <summary>Names the places; nothing is made before <see cref="Open"/>.</summary>
    public DataFolder(IOptions<StorageOptions> options)
    {
        _configured = Path.GetFullPath(options.Value.Folder);
        _isScratch = options.Value.Provider == DatabaseProvider.Postgres;
        Root = _configured;
    }

    /// <summary>The folder itself.</summary>
    public string Root { get; private set; }

    /// <summary>Immutable files, where the folder holds them.</summary>
    public string Artifacts => Path.Combine(Root, "artifacts");

    /// <summary>Files that are not whole yet.</summary>
    public string Staging => Path.Combine(Root, "staging");

    /// <summary>Files that the database holds, too.</summary>
    public string Cache => Path.Combine(Root, "cache");

    /// <summary>A folder per job.</summary>
    public string Jobs => Path.Combine(Root, "jobs");

    /// <summary>The database file.</summary>
    public string Database => Path.Combine(Root, "condense.db");

    /// <summary>Makes the folder and takes it for this process; a second call does nothing.</summary>
    /// <exception cref="StartupException">The folder can't be made, or another process has it.</exception>
    public void Open()
    {
        if (!TryOpen())
        {
            throw new StartupException($"Another process uses the data folder {Root}. Stop it, or name another folder with --Storage:Folder=PATH.");
        }
    }

    /// <summary>The same, for a command that may run beside the service.</summary>
    /// <returns>False when another process has the folder.</returns>
    /// <exception cref="StartupException">The folder can't be made.</exception>
    public bool TryOpen()
    {
        if (_lock is not null)
        {
            return true;
        }

        try
        {
            Directory.CreateDirectory(_configured);
            Root = _isScratch ? TakeNode() : _configured;
            _lock ??= TryLock(Root);
            Directory.CreateDirectory(Artifacts);
            Directory.CreateDirectory(Staging);
            Directory.CreateDirectory(Cache);
            Directory.CreateDirectory(Jobs);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The data folder {Root} can't be made: {exception.Message} Name another one with --Storage:Folder=PATH.", exception);
        }

        return _lock is not null;
    }

    /// <summary>Where a job keeps its finished layers and makes its result.</summary>
    public string JobFolder(string jobId) => Path.Combine(Jobs, jobId);

    /// <summary>Empties the scratch folders that processes have left which are no more.</summary>
    /// <returns>How many.</returns>
    public int RemoveDeadNodes()
    {
        int removed = 0;
        if (_isScratch)
        {
            foreach (string node in Directory.GetDirectories(_configured, $"{NodePrefix}*").Where(path => !string.Equals(path, Root, StringComparison.Ordinal)))
            {
                using var taken = TryLock(node);
                foreach (string part in taken is null ? [] : Directory.GetDirectories(node))
                {
                    Directory.Delete(part, recursive: true);
                    removed++;
                }
            }
        }

        return removed;
    }

    /// <inheritdoc/>
    public void Dispose() => _lock?.Dispose();

    private string TakeNode()
    {
        for (int i = 1; i <= MaxNodes; i++)
        {
            string node = Path.Combine(_configured, string.Create(CultureInfo.InvariantCulture, $"{NodePrefix}{i}"));
            Directory.CreateDirectory(node);
            if (TryLock(node) is { } taken)
            {
                _lock = taken;
                return node;
            }
        }

        throw new StartupException($"{MaxNodes} processes use the data folder {_configured} already. Name another folder with --Storage:Folder=PATH.");
    }

    /// <summary>The system gives the lock back when the process ends, however it ends.</summary>
    private static FileStream? TryLock(string folder)
    {
        try
        {
            return new FileStream(Path.Combine(folder, "condense.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (s_locked.Contains(exception.HResult))
        {
            return null;
        }
    }
}
