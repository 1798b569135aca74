using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Condense.Service.Storage;

/// <summary>
/// Makes the names in a folder durable. A flushed file outlives a loss of power, but which folder names it is written in the folder, which .NET does not
/// open. Windows keeps names in its journal.
/// </summary>
internal static class FolderEntries
{
    private const int ReadOnly = 0;

    /// <summary>Returns when every file that was added to the folder, or renamed, is in it for good.</summary>
    /// <exception cref="IOException">The folder can't be opened or flushed.</exception>
    public static void FlushToDisk(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var handle = new SafeFileHandle(Open(folder, ReadOnly), ownsHandle: true);
        if (handle.IsInvalid)
        {
            throw new IOException($"The folder {folder} can't be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        RandomAccess.FlushToDisk(handle);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}
