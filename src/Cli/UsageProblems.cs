namespace Condense.Cli;

/// <summary>What is wrong with a command line, all of it, so that nobody has to ask twice.</summary>
internal sealed class UsageProblems
{
    private readonly List<string> _messages = [];

    /// <summary>Reads an option, or notes what is wrong with it.</summary>
    public T? Read<T>(Func<T> option)
    {
        try
        {
            return option();
        }
        catch (UsageException exception)
        {
            _messages.Add(exception.Message);
            return default;
        }
    }

    /// <summary>Ends the reading.</summary>
    /// <exception cref="UsageException">Something was wrong.</exception>
    public void ThrowIfAny()
    {
        if (_messages.Count > 0)
        {
            throw new UsageException(string.Join('\n', _messages));
        }
    }
}
