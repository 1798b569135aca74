using System.Globalization;
using System.Reflection;
using Condense.Service.Hosting;
using Condense.Service.Isolation;
using Condense.TestHost;

// A child of this program: attempts in which layers of certain names do what no layer may.
if (args is [AttemptProgram.Word, ..])
{
    return await AttemptProgram.RunAsync(Poison.Take);
}

// The service's own settings, and before them: --skew=±hh:mm:ss, a machine whose clock is wrong.
TimeProvider machine = TimeProvider.System;
var settings = new List<string> { $"--Worker:ChildProgram={Assembly.GetExecutingAssembly().Location}" };
foreach (string argument in args)
{
    if (argument.Split('=', 2) is ["--skew", var skew])
    {
        machine = new WrongClock(TimeSpan.Parse(skew.TrimStart('+'), CultureInfo.InvariantCulture));
    }
    else
    {
        settings.Add(argument);
    }
}

return await ServiceHost.RunAsync([.. settings], machine);
