namespace Condense.Service.Hosting;

/// <summary>What a process does.</summary>
internal enum ServiceRole
{
    /// <summary>Answers requests and runs jobs.</summary>
    Both,

    /// <summary>Answers requests.</summary>
    Api,

    /// <summary>Runs jobs; answers only whether it lives.</summary>
    Worker,
}
