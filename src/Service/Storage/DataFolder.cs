using Microsoft.Extensions.Options;

namespace Condense.Service.Storage;

/// <summary>The data folder: one database, the artifacts, what is being uploaded, and a work folder per unfinished job.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly Lazy<FileStream> _lock;

    /// <summary>Names the places; nothing is made before <see cref="Open"/>.</summary>
    public DataFolder(IOptions<StorageOptions> options)
    {
        Root = Path.GetFullPath(options.Value.Folder);
        Artifacts = Path.Combine(Root, "artifacts");
        Staging = Path.Combine(Root, "staging");
        Jobs = Path.Combine(Root, "jobs");
        Database = Path.Combine(Root, "condense.db");
        _lock = new(Lock);
    }

    /// <summary>The folder itself.</summary>
    public string Root { get; }

    /// <summary>Immutable files by digest.</summary>
    public string Artifacts { get; }

    /// <summary>Files that are not whole yet.</summary>
    public string Staging { get; }

    /// <summary>A folder per job.</summary>
    public string Jobs { get; }

    /// <summary>The database file.</summary>
    public string Database { get; }

    /// <summary>Makes the folder and takes it for this process.</summary>
    /// <exception cref="StartupException">The folder can't be made, or another process has it.</exception>
    public void Open()
    {
        Make();
        _ = _lock.Value;
    }

    /// <summary>Makes the folder, and takes it if no other process has it: for a command that may run beside the service.</summary>
    /// <returns>False when the service has it.</returns>
    /// <exception cref="StartupException">The folder can't be made.</exception>
    public bool TryOpen()
    {
        Make();
        try
        {
            _ = _lock.Value;
            return true;
        }
        catch (StartupException)
        {
            return false;
        }
    }

    /// <summary>Where a job keeps its finished layers and makes its result.</summary>
    public string JobFolder(string jobId) => Path.Combine(Jobs, jobId);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_lock.IsValueCreated)
        {
            _lock.Value.Dispose();
        }
    }

    private void Make()
    {
        try
        {
            Directory.CreateDirectory(Artifacts);
            Directory.CreateDirectory(Staging);
            Directory.CreateDirectory(Jobs);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The data folder {Root} can't be made: {exception.Message} Name another one with --Storage:Folder=PATH.", exception);
        }
    }

    /// <summary>The system gives the lock back when the process ends, however it ends.</summary>
    private FileStream Lock()
    {
        string path = Path.Combine(Root, "condense.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"Another process uses the data folder {Root}. Stop it, or name another folder with --Storage:Folder=PATH.", exception);
        }
    }
}
