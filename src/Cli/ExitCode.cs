namespace Condense.Cli;

/// <summary>What the shell is told.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Our fault.</summary>
    public const int Internal = 1;

    /// <summary>The command line can't be understood.</summary>
    public const int Usage = 2;

    /// <summary>The input is broken or does not fit the request.</summary>
    public const int BadInput = 3;

    /// <summary>The target is infeasible or was not reached.</summary>
    public const int TargetMissed = 4;

    /// <summary>Interrupted by Ctrl-C or SIGTERM.</summary>
    public const int Interrupted = 130;
}
