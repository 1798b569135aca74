using Condense.Service.Hosting;
using Condense.Service.Isolation;

return args is [AttemptProgram.Word, ..] ? await AttemptProgram.RunAsync() : await ServiceHost.RunAsync(args);
