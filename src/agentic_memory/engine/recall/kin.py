"""Words that mean the same: everyday English and Spanish, as they are said on the telephone.

A question's word is also looked for as its kin, for less. The vectors know far more words; this
is for the common ones, where a plain match is surer than a likeness.
"""

from functools import lru_cache

from agentic_memory.engine.recall.words import stem

_GROUPS = """
monday lunes
tuesday martes
wednesday miercoles
thursday jueves
friday viernes
saturday sabado
sunday domingo
january enero
february febrero
april abril
june junio
july julio
august agosto
september septiembre
october octubre
november noviembre
december diciembre
morning manana
afternoon tarde
night noche
week semana
month mes meses
year ano
birthday cumpleanos
mother madre
father padre
parents padres
daughter hija
son hijo
children hijos ninos
sister hermana
brother hermano
husband esposo marido
wife esposa mujer
grandmother grandma abuela
grandfather grandpa abuelo
grandson nieto
granddaughter nieta
uncle tio
aunt tia
cousin primo prima
nephew sobrino
niece sobrina
friend amigo amiga
neighbour neighbor vecino vecina
boss manager jefe jefa
colleague coworker companero companera
boyfriend novio
girlfriend novia
twins gemelos mellizos
baby bebe
dog puppy perro
cat kitten gato
pet mascota
house casa
home hogar casa
apartment flat piso apartamento departamento
kitchen cocina
bathroom bano
bedroom dormitorio habitacion
garden yard jardin
address direccion
city ciudad
town pueblo
country pais
street calle
beach playa
mountain montana
car coche carro auto
bike bicycle bici bicicleta
motorcycle motorbike moto motocicleta
train tren
flight plane vuelo avion
trip travel journey viaje viajar
holiday vacation vacaciones
suitcase luggage maleta equipaje
passport pasaporte
ticket billete boleto
hotel hotel
airport aeropuerto
seat asiento
job work trabajo empleo profession
office oficina
school escuela colegio
university college universidad
company firm empresa compania
business negocio empresa
shop store tienda
teach teacher ensenar profesor profesora
doctor physician medico doctora
nurse enfermera enfermero
dentist dentista
hospital hospital
surgery operation operacion operar cirugia
scan resonancia
medicine medication pill medicamento pastilla medicina
allergy allergic alergia alergico alergica
illness disease sick enfermedad enfermo enferma
pain hurt hurts dolor duele doler
knee rodilla
back espalda
heart corazon
insurance seguro
appointment booking cita reserva
meeting reunion
visit visita visitar
check checkup revision
money dinero
price cost precio costar cuesta
pay payment pagar pago
cheap barato
expensive caro
budget quote presupuesto
refund compensation reembolso compensacion
invoice bill factura
order pedido pedir
code codigo
number numero
contract contrato
claim reclamacion
account cuenta
card tarjeta
email mail correo
phone telephone telefono
mobile cellphone movil celular
text message mensaje
letter carta
contact reach contactar contacten contacto
call llamar llamada
name nombre
language idioma lengua
food meal comida
breakfast desayuno
lunch almuerzo comida
dinner supper cena
meat carne
fish pescado
bread pan
wheat trigo
vegetarian vegetariano vegetariana
coffee cafe
tea te
wine vino
water agua
cook cocinar
eat comer
drink beber tomar
favourite favorite favorito favorita preferido preferida
prefer preferir prefiere prefiero
like love gusta encanta
hate dislike odiar odio
buy purchase comprar compra
sell vender
live vivir
move moved mudar mudarse mudado
marry wedding married boda casarse casa
divorce divorcio divorciado divorciada
born nacer nacio
die died death morir murio muerte
learn aprender
study estudiar
write escribir
read leer
book libro
film movie pelicula
music musica
guitar guitarra
violin violin
sing cantar
dance bailar baile
paint painting pintar pintura
football soccer futbol
swim nadar
run correr
play jugar tocar
game juego
hobby pastime aficion pasatiempo
help ayuda ayudar
problem trouble issue problema
noise ruido
broken break roto romper
repair fix reparar arreglar
lost lose perder perdido
find encontrar
wait esperar
cancel anular cancelar
change cambiar cambio
return devolver
deliver delivery entregar entrega
start begin empezar comenzar
finish end terminar acabar
new nuevo nueva
old viejo vieja antiguo
big large grande
small little pequeno
happy glad feliz contento contenta
sad triste
afraid scared fear miedo
tired cansado cansada
red rojo roja
blue azul
green verde
white blanco blanca
black negro negra
window ventana
door puerta
floor suelo
roof techo tejado
pipe tuberia
boiler caldera
heating calefaccion
photo photograph foto fotografia
gift present regalo
wheelchair silla
nervous anxious nervioso nerviosa
sleep dormir
daily diario
yesterday ayer
today hoy
"""


@lru_cache(maxsize=1)
def _kin() -> dict[str, tuple[str, ...]]:
    table: dict[str, dict[str, None]] = {}
    for line in _GROUPS.split("\n"):
        group = dict.fromkeys(stem(word) for word in line.split())
        for word in group:
            table.setdefault(word, {}).update((other, None) for other in group if other != word)
    return {word: tuple(others) for word, others in table.items()}


def kin(stemmed: str) -> tuple[str, ...]:
    """Stems that mean the same as this one; none for most words."""
    return _kin().get(stemmed, ())
