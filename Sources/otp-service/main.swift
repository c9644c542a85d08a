import OTPService
import ServiceRuntime

await ServiceCommand<OTPService>.main()
