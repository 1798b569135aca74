return await Condense.Service.Hosting.ServiceHost.RunAsync(args);
