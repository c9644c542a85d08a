import AdminService
import ServiceRuntime

await ServiceCommand<AdminService>.main()
