import ServiceRuntime
import UserService

await ServiceCommand<UserService>.main()
