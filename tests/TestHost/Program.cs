using System.Globalization;
using Condense.Service.Hosting;
using Condense.TestHost;

// The service's own settings, and before them: --skew=±hh:mm:ss, a machine whose clock is wrong.
TimeProvider machine = TimeProvider.System;
var settings = new List<string>();
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
