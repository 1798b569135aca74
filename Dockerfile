# The service and the command line in one image.
#
#   docker build -t condense .
#   docker run -p 127.0.0.1:8080:8080 -v condense-data:/data -e Access__BootstrapKey=cnd_live_… condense
#
# `docker run --rm condense keys generate` prints a key; without any, the service refuses to start, as others can reach the container.
# docker-compose.yml runs the service on PostgreSQL, deploy/kubernetes in a cluster: the same image in other roles.

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

# Packages are a layer of their own: it is built again only when a project file or a version changes.
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig BannedSymbols.txt ./
COPY src/Engine/Engine.csproj src/Engine/
COPY src/Models/Models.csproj src/Models/
COPY src/Execution/Execution.csproj src/Execution/
COPY src/Pipeline/Pipeline.csproj src/Pipeline/
COPY src/Service/Service.csproj src/Service/
COPY src/Cli/Cli.csproj src/Cli/
RUN dotnet restore src/Service && dotnet restore src/Cli

COPY src/ src/
RUN dotnet publish src/Service --configuration Release --no-restore --output /app/service \
 && dotnet publish src/Cli --configuration Release --no-restore --output /app/cli

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# A new named volume takes over the owner of the folder that it is mounted on.
RUN mkdir /data && chown "$APP_UID" /data
COPY --from=build /app /app
# Any address: the container's network decides who reaches it. No diagnostics port: it would be one more file that is written.
ENV ASPNETCORE_HTTP_PORTS= ASPNETCORE_URLS=http://+:8080 Storage__Folder=/data DOTNET_EnableDiagnostics=0
WORKDIR /data
VOLUME /data
USER $APP_UID
EXPOSE 8080
# Every role answers it. The image has no HTTP client: bash opens the connection itself.
HEALTHCHECK --start-period=30s --interval=10s --timeout=3s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n' >&3 && grep -q '^HTTP/1.* 200 ' <&3"]
ENTRYPOINT ["dotnet", "/app/service/Condense.Service.dll"]
