using System.Text.Json;
using Condense.Models;
using Condense.Pipeline.Recipes;

namespace Condense.Cli;

/// <summary>Errors as exit codes and words on stderr.</summary>
internal static class Failure
{
    /// <summary>Runs a command and turns what it throws into an exit code; the words say cause, place and cure.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> command)
    {
        try
        {
            // At once on a thread of its own: an interrupt waits only for a command whose task the library already holds, and long work
            // before the first await would keep that from it. What it does not wait for leaves its files behind.
            return await Task.Run(command);
        }
        catch (UsageException exception)
        {
            int code = ExitCode.Usage;
            foreach (string line in exception.Message.Split('\n'))
            {
                code = Tell(line, ExitCode.Usage);
            }

            return code;
        }
        catch (ModelFormatException exception)
        {
            string tensor = exception.Tensor is null ? "" : $" [tensor {exception.Tensor}]";
            string offset = exception.Offset is null ? "" : $" [byte {exception.Offset}]";
            return Tell($"{JsonNamingPolicy.SnakeCaseLower.ConvertName(exception.Code.ToString())}: {exception.Message}{tensor}{offset}", ExitCode.BadInput);
        }
        catch (RecipeException exception)
        {
            string nearest = exception.Nearest is { } target ? $" Nearest feasible: {OptionOf(target)}." : "";
            return Tell($"{exception.Code}: {Words(exception)}{nearest}", string.Equals(exception.Code, "infeasible_target", StringComparison.Ordinal) ? ExitCode.TargetMissed : ExitCode.BadInput);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return Tell(exception.Message, ExitCode.BadInput);
        }
        catch (IOException exception)
        {
            return Tell(exception.Message, ExitCode.Internal);
        }
        catch (OperationCanceledException)
        {
            return Tell("Interrupted; nothing was written.", ExitCode.Interrupted);
        }
    }

    /// <summary>Several problems each on a line of its own.</summary>
    private static string Words(RecipeException exception) => exception.Problems.Count <= 1
        ? exception.Message
        : string.Concat($"there are {exception.Problems.Count} problems.", string.Concat(exception.Problems.Select(problem => $"\n  {problem.Pointer}: {problem.Detail}")));

    private static string OptionOf(CompressionTarget target) => FormattableString.Invariant($"{Name(target.Kind)} {target.Value}");

    private static string Name(TargetKind kind) => kind switch
    {
        TargetKind.Ratio => "--ratio",
        TargetKind.Bytes => "--bytes",
        TargetKind.ParameterRatio => "--parameter-ratio",
        _ => "--bits",
    };

    private static int Tell(string message, int code)
    {
        Console.Error.WriteLine($"condense: {message}");
        return code;
    }
}
