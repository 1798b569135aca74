namespace Condense.Service.Access;

/// <summary>The command line of <see cref="KeyCommand"/>: options of its own, and settings of the service, which have a colon in their name.</summary>
internal sealed class KeyArguments
{
    private readonly Dictionary<string, string> _options = new(StringComparer.Ordinal);
    private readonly List<string> _settings = [];

    /// <summary>What to do.</summary>
    public string Verb { get; private set; } = "";

    /// <summary>To what.</summary>
    public string? Operand { get; private set; }

    /// <summary>Settings, as the service takes them.</summary>
    public IReadOnlyList<string> Settings => _settings;

    /// <summary>Reads a command line.</summary>
    /// <exception cref="FormatException">It can't be understood.</exception>
    public static KeyArguments Parse(string[] arguments)
    {
        var parsed = new KeyArguments();
        int i = 0;
        while (i < arguments.Length)
        {
            string argument = arguments[i++];
            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                parsed.AddWord(argument);
                continue;
            }

            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? argument[2..] : argument[2..equals];
            string value = equals >= 0 ? argument[(equals + 1)..] : i < arguments.Length ? arguments[i++] : throw new FormatException($"A value is missing after {argument}.");
            if (name.Contains(':', StringComparison.Ordinal))
            {
                parsed._settings.Add($"--{name}={value}");
            }
            else if (!parsed._options.TryAdd(name, value))
            {
                throw new FormatException($"--{name} stands twice.");
            }
        }

        return parsed;
    }

    /// <summary>Refuses options that are not among these.</summary>
    /// <exception cref="FormatException">There is another.</exception>
    public void Allow(params ReadOnlySpan<string> names)
    {
        foreach (string name in _options.Keys)
        {
            if (!names.Contains(name))
            {
                throw new FormatException($"There is no option --{name} here.");
            }
        }
    }

    /// <summary>The value of an option; null without it.</summary>
    public string? Find(string name) => _options.GetValueOrDefault(name);

    /// <summary>The value of an option.</summary>
    /// <exception cref="FormatException">It is missing.</exception>
    public string Need(string name) => Find(name) is { Length: > 0 } value ? value : throw new FormatException($"--{name} is missing.");

    private void AddWord(string word)
    {
        if (Verb.Length == 0)
        {
            Verb = word;
        }
        else if (Operand is null)
        {
            Operand = word;
        }
        else
        {
            throw new FormatException($"\"{word}\" is one word too many.");
        }
    }
}
